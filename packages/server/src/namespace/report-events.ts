// What a server tells its own app beside its connections: no event of other servers may have such a name.
export const reportEvents = ['error', 'warning', 'unhandled', 'refused', 'overload'] as const;

export type ReportEvent = (typeof reportEvents)[number];

export function isReportEvent(event: string): event is ReportEvent {
  return (reportEvents as readonly string[]).includes(event);
}
