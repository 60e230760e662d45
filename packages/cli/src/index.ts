// What programs have of the command: the doctor, and a contract as AsyncAPI.
export { type AsyncApiOptions, asyncApi, type Info, type JsonSchema, type ToJSONSchema } from './docs/asyncapi';
export type { Finding, Level } from './doctor/check';
export { type DiagnoseOptions, type Diagnosis, diagnose } from './doctor/diagnose';
