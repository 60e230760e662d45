export { type AdminServer, admin } from './server/admin';
export type { AdminOptions, Guard } from './server/options';
export type { AdminPage } from './server/page';
