import { expect, it } from 'vitest';
import { assertNever, HalyardError, LocalUsageError, PublicError, RemoteProtocolError } from './errors';

it('says whose fault it is and carries a code', () => {
  const errors = [
    new LocalUsageError('ERR_A', 'text', { path: 'args[0]' }),
    new RemoteProtocolError('ERR_B'),
    new RemoteProtocolError('ERR_C', 'text', 1009),
    new PublicError('ERR_D', 'text', [1]),
  ];
  for (const error of errors) expect(error).toBeInstanceOf(HalyardError);
  expect(errors).toMatchObject([
    { name: 'LocalUsageError', code: 'ERR_A', message: 'text', details: { path: 'args[0]' } },
    { name: 'RemoteProtocolError', code: 'ERR_B', message: 'ERR_B', closeCode: 4400 },
    { name: 'RemoteProtocolError', code: 'ERR_C', message: 'text', closeCode: 1009 },
    { name: 'PublicError', code: 'ERR_D', message: 'text', data: [1] },
  ]);
});

it('fails loudly where nothing should come', () => {
  expect(() => assertNever('x' as never)).toThrow(expect.objectContaining({ code: 'ERR_UNREACHABLE' }));
});
