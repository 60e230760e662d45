// What programs have of the command: the doctor.
export type { Finding, Level } from './doctor/check';
export { type DiagnoseOptions, type Diagnosis, diagnose } from './doctor/diagnose';
