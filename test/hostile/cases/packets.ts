// Packets that break a rule of docs/PROTOCOL.md, over each transport, and those that break none and mean no good.
import { breaks, type Case, endures, everyWay, opensWith, waits } from '../case';

const text = (chars: number): string => 'x'.repeat(chars);
const event = (args: string): string => `[2,"/","echo",[${args}],1]`;
const volatile = (args: string): string => `[6,"/","echo",[${args}]]`;
const many = (count: number, frame: (number: number) => string): string[] =>
  Array.from({ length: count }, (_none, i) => frame(i + 1));

/** Asks for an echo of a value, and tells what comes back. */
function echoes(name: string, value: string, sees: string): Case {
  return {
    name,
    over: everyWay,
    sees,
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send(event(value));
      return JSON.stringify((await line.packet(([type]) => type === 3))[2]);
    },
  };
}

/** Sends a frame behind HELLO, and tells the first packet that answers it. */
function isTold(name: string, frames: readonly string[], type: number, sees: string): Case {
  return {
    name,
    over: everyWay,
    sees,
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send(...frames);
      return JSON.stringify(await line.packet(([its]) => its === type));
    },
  };
}

export const packets: readonly Case[] = [
  // Before HELLO.
  waits(opensWith('silence instead of HELLO', [], '4408 no HELLO')),
  opensWith('an event instead of HELLO', [event('1'), '[0]'], '4400 ERR_HELLO_EXPECTED'),
  opensWith(
    'five PINGs before HELLO',
    many(5, () => '[8]'),
    '4400 ERR_HELLO_EXPECTED',
  ),
  opensWith(
    'HELLO for 65 namespaces',
    [JSON.stringify([0, Array(65).fill(['/'])])],
    '4400 ERR_PACKET_SHAPE: namespaces: at most 64',
  ),
  opensWith('HELLO with a token that can be guessed', ['[0,[],"",null,"short"]'], '4400 ERR_PACKET_SHAPE: token'),
  opensWith('HELLO that is half a position', ['[0,[],"",["s","k",0,0,["log"]]]'], '4400 ERR_PACKET_SHAPE: positions'),
  opensWith('HELLO with a name of 100,000 letters', [`[0,[],"${text(100_000)}"]`], '4400 ERR_PACKET_SHAPE: client'),
  opensWith(
    'HELLO that resumes and has a token',
    ['[0,[],"",["s","k",0,0],"sixteen letters."]'],
    '4400 ERR_PACKET_SHAPE: HELLO has a token',
  ),
  // What has no place.
  breaks('a second HELLO', ['[0]'], '4400 ERR_PACKET_UNEXPECTED'),
  breaks('a RESET that was not asked for', ['[14]'], '4400 ERR_PACKET_UNEXPECTED'),
  breaks('WELCOME from a client', ['[1,"s","k",[1,1,1,1,1,1,1,1],0,false,""]'], '4400 ERR_PACKET_UNEXPECTED'),
  breaks('PUBLISH from a client', ['[5,"/",["1",1],"news",[1]]'], '4400 ERR_PACKET_UNEXPECTED'),
  breaks('CONNECTED from a client', ['[11,"/","id"]'], '4400 ERR_PACKET_UNEXPECTED'),
  isTold('RENEW that nobody asked for', ['[15,"/",{"token":"x"},1]'], 3, '[3,1]'),
  breaks('a type that is none', ['[16]'], '4400 ERR_PACKET_TYPE'),
  breaks('a type of Array.prototype', ['["constructor"]'], '4400 ERR_PACKET_TYPE'),
  breaks('a type of Object.prototype', ['["__proto__"]'], '4400 ERR_PACKET_TYPE'),
  breaks('no packet', ['{"type":2}'], '4400 ERR_PACKET_SHAPE'),
  breaks('no JSON', ['hello'], '4400 ERR_FRAME_DECODE'),
  breaks('two packets in one frame', ['[8][8]'], '4400 ERR_FRAME_DECODE'),
  // Counts.
  breaks('SACK of what was never sent', ['[7,9007199254740991]'], '4400 ERR_SACK_AHEAD'),
  breaks('SACK that goes back', ['[7,1]', '[7,0]'], '4400 ERR_SACK_BACK'),
  breaks('SACK of less than nothing', ['[7,-1]'], '4400 ERR_PACKET_SHAPE'),
  breaks(
    'SACK of 8,193 ranges',
    [JSON.stringify([7, 0, many(16_386, (i) => String(i * 2)).map(Number)])],
    '4400 ERR_PACKET_SHAPE: settled',
  ),
  breaks('SACK of ranges that fall', ['[7,0,[9,8]]'], '4400 ERR_PACKET_SHAPE: settled'),
  breaks('PONG that counts what was never sent', ['[9,99]'], '4400 ERR_SACK_AHEAD'),
  breaks('an ACK that nobody asked for', ['[3,1,"x"]'], '4400 ERR_ACK_UNKNOWN'),
  breaks(
    'ACKs that nobody asked for, by the thousand',
    many(1_000, (i) => `[3,${i}]`),
    '4400 ERR_ACK_UNKNOWN',
  ),
  breaks('an ERROR that nobody asked for', ['[4,1,"E","no"]'], '4400 ERR_ACK_UNKNOWN'),
  breaks('the number of an ack that repeats', [event('1'), event('2')], '4400 ERR_ACK_ORDER'),
  breaks('the number of an ack that is none', ['[2,"/","echo",[],1.5]'], '4400 ERR_PACKET_SHAPE: ack'),
  breaks('the number of an ack beyond all', ['[2,"/","echo",[],1e300]'], '4400 ERR_PACKET_SHAPE: ack'),
  breaks(
    'more events than the window takes',
    many(6_000, () => '[2,"/","ask",[],1]'),
    ['4429', '4400 ERR_ACK_ORDER'],
  ),
  // Shapes and values.
  breaks('an event of 257 letters', [`[2,"/","${text(257)}",[]]`], '4400 ERR_PACKET_SHAPE: event'),
  breaks('a frame over the limit', [event(`"${text(131_072)}"`)], '1009'),
  breaks('lists nested 20,000 deep', [event('['.repeat(20_000) + ']'.repeat(20_000))], '4400 ERR_FRAME_DECODE'),
  breaks(
    'objects nested 10,000 deep',
    [event(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
    '4400 ERR_FRAME_DECODE',
  ),
  breaks(
    'notations nested 65 deep',
    [volatile(`${'{"$date":'.repeat(65)}1${'}'.repeat(65)}`)],
    '4400 ERR_FRAME_DECODE',
  ),
  breaks('128 KB of opening brackets', [text(0) + '['.repeat(131_000)], '4400 ERR_FRAME_DECODE'),
  breaks('a number beyond all', [volatile('1e999')], '4400 ERR_FRAME_DECODE'),
  breaks('a bigint of 100,000 digits', [volatile(`{"$big":"${'9'.repeat(100_000)}"}`)], '4400 ERR_FRAME_DECODE'),
  breaks('a date that is none', [volatile('{"$date":1e99}')], '4400 ERR_FRAME_DECODE'),
  breaks('binary that is not base64', [volatile('{"$bin":"!!!!"}')], '4400 ERR_FRAME_DECODE'),
  breaks('a notation that is none', [volatile('{"$ref":"#"}')], '4400 ERR_FRAME_DECODE'),
  breaks('half a surrogate pair', [volatile('"\\ud800"')], '4400 ERR_FRAME_DECODE'),
  echoes('__proto__ is a key', '{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true}}'),
  echoes(
    'constructor.prototype is data',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"constructor":{"prototype":{"admin":true}}}',
  ),
  echoes('of two equal keys the last one counts', '{"a":1,"a":2}', '{"a":2}'),
  echoes('a number of 10,000 digits', `0.${'3'.repeat(10_000)}`, '0.333'),
  echoes('keys that are numbers', '{"4294967294":1,"4294967295":2}', '{"4294967294":1,"4294967295":2}'),
  echoes('60,000 empty lists', `[${'[],'.repeat(40_000)}[]]`, '[[],[],[]'),
  echoes('5,000 keys', `{${many(5_000, (i) => `"k${i}":0`).join()}}`, '{"k1":0,"k2":0'),
  echoes('a text of NULs', `"${'\\u0000'.repeat(1_000)}"`, '"\\u0000\\u0000'),
  // Names.
  isTold('an event named __proto__', ['[2,"/","__proto__",[],1]'], 4, '[4,1,"ERR_NO_HANDLER"'),
  isTold('an event named constructor', ['[2,"/","constructor",[],1]'], 4, '[4,1,"ERR_NO_HANDLER"'),
  isTold('an event named disconnect', ['[2,"/","disconnect",["bye"],1]'], 4, '[4,1,"ERR_NO_HANDLER"'),
  isTold('a namespace named __proto__', ['[10,"/__proto__"]'], 12, '[12,"/__proto__","ERR_NAMESPACE_UNKNOWN"'),
  isTold(
    'an event for a namespace that is not connected',
    ['[2,"/other","echo",[],1]'],
    4,
    '[4,1,"ERR_NAMESPACE_NOT_CONNECTED"',
  ),
  isTold('an event whose handler fails', ['[2,"/","fail",[],1]'], 4, '[4,1,"ERR_HANDLER"'),
  breaks('CONNECT again', ['[10,"/"]'], '4400 ERR_CONNECT_REPEATED'),
  breaks('CONNECT without its slash', ['[10,"other"]'], '4400 ERR_PACKET_SHAPE: namespace'),
  breaks(
    'packets for a namespace that does not decide',
    ['[10,"/undecided"]', ...many(1_200, () => '[2,"/undecided","x",[]]')],
    '4429 ERR_WINDOW',
  ),
  breaks(
    'many bytes for a namespace that does not decide',
    ['[10,"/undecided"]', `[2,"/undecided","x",["${text(70_000)}"]]`, ...many(1_200, () => '[2,"/undecided","x",[]]')],
    '4429 ERR_WINDOW',
  ),
  {
    name: 'namespaces by the hundred, made on demand',
    over: everyWay,
    sees: 'few, and ERR_DYNAMIC_NAMESPACES_FULL',
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      // Of its own: those that are there already it would not have made.
      const from = Math.floor(Math.random() * 1e9);
      line.send(...many(500, (i) => `[10,"/made/${from + i}"]`));
      await line.packet(([type, name]) => type === 12 && name === `/made/${from + 500}`);
      const refused = line.packets.filter(([type]) => type === 12);
      const entered = line.packets.filter(([type, name]) => type === 11 && name !== '/').length;
      const codes = new Set(refused.map(([, , code]) => code));
      return `${entered <= 8 ? 'few' : entered}, and ${[...codes].join(' ')}`;
    },
  },
  endures(
    'CONNECT and DISCONNECT by turns',
    many(400, (i) => (i % 2 === 1 ? '[10,"/other"]' : '[13,"/other"]')),
  ),
  endures(
    'DISCONNECT of what was never connected',
    many(500, () => '[13,"/other"]'),
  ),
  endures(
    '5,000 hints',
    many(5_000, (i) => `[${64 + (i % 64)},"a hint"]`),
  ),
  endures(
    '5,000 PINGs',
    many(5_000, () => '[8]'),
  ),
  breaks(
    '20,000 PINGs',
    many(20_000, () => '[8]'),
    '4429 ERR_RATE',
  ),
  endures(
    '5,000 volatile events that nobody handles',
    many(5_000, () => '[6,"/","nothing",[1,2,3]]'),
  ),
  endures(
    '500 rooms',
    many(500, (i) => `[2,"/","join",["${i}"]]`),
  ),
  endures(
    'SACK of one packet, again and again',
    many(2_000, () => '[7,1]'),
  ),
  {
    name: 'an event that asks back, whose answer never comes',
    waits: true,
    over: everyWay,
    sees: '[4,1,"ERR_',
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send('[2,"/","ask",[],1]');
      // It is told while it may be: PINGs are answered, and the question is not.
      const timer = setInterval(() => line.send('[9]'), 500);
      try {
        return JSON.stringify(await line.packet(([type]) => type === 4));
      } finally {
        clearInterval(timer);
      }
    },
  },
  {
    name: 'an answer that comes again and again',
    over: everyWay,
    sees: '[3,1,"first"]',
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send('[2,"/","ask",[],1]');
      const [, , , , ack] = await line.packet(([type]) => type === 2);
      line.send(`[3,${ack},"first"]`, ...many(200, (i) => `[3,${ack},"again ${i}"]`));
      return JSON.stringify(await line.packet(([type]) => type === 3));
    },
  },
  {
    name: 'PINGs of the server that are not answered',
    waits: true,
    over: everyWay,
    sees: '4000',
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      return line.close();
    },
  },
  {
    name: 'more packets than an outbox keeps, of which none is confirmed',
    over: everyWay,
    sees: ['4413', '1006'],
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send('[2,"/","flood",[100,3000]]');
      return line.close();
    },
  },
];
