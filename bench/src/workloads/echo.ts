// Event with ack: 200 connections, each with a fixed number of events in flight.
import { sleep } from '../base/sleep';
import { everySubject, mainSubjects, perUnit, served } from './served';
import type { ServedWorkload } from './workload';

interface Variant {
  readonly name: string;
  readonly inFlight: number;
  readonly payloadBytes: number;
  readonly binary: boolean;
  readonly subjects: readonly string[];
}

const metered = 'halyard-uws-json-metrics';
const binarySubjects = [...mainSubjects, 'halyard-uws-msgpack', 'halyard-uws-protobuf'];

const variants: readonly Variant[] = [
  { name: 'echo-1', inFlight: 1, payloadBytes: 64, binary: false, subjects: everySubject },
  { name: 'echo-16', inFlight: 16, payloadBytes: 64, binary: false, subjects: [...everySubject, metered] },
  { name: 'echo-1-1k', inFlight: 1, payloadBytes: 1_024, binary: false, subjects: mainSubjects },
  { name: 'echo-1-16k', inFlight: 1, payloadBytes: 16_384, binary: false, subjects: mainSubjects },
  { name: 'echo-16-1k', inFlight: 16, payloadBytes: 1_024, binary: false, subjects: mainSubjects },
  { name: 'echo-1-binary', inFlight: 1, payloadBytes: 64, binary: true, subjects: binarySubjects },
  { name: 'echo-16-binary-1k', inFlight: 16, payloadBytes: 1_024, binary: true, subjects: binarySubjects },
];

export const echoWorkloads: readonly ServedWorkload[] = variants.map(
  ({ name, inFlight, payloadBytes, binary, subjects }) =>
    served({
      name,
      title: `event + ack, ${inFlight} in flight, ${payloadBytes} bytes${binary ? ' of binary' : ''}`,
      subjects,
      plan: { payloadBytes, binary },
      async measure(testbed, windowMs) {
        await testbed.load.call('echo', { inFlight });
        await sleep(testbed.warmUpMs());
        const window = await testbed.window(() => sleep(windowMs));
        await testbed.load.call('stop', undefined);
        return perUnit(window, window.handled);
      },
    }),
);
