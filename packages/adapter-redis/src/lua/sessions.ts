// Sessions: a hash says whose one is, another has the parts of its record, a stream its letters by number; a sorted set knows when each
// expires. One whose time is over is not there, whether or not anybody has cleaned up.

/** Functions of sessions, for scripts that need them. */
export const sessionFunctions = `
local sessions, sessionOrder = {}, {}
local expiring = base .. ':expiring'
-- By so much a session may be kept longer than is known to who looks for those that have expired: that one looks again.
local unlisted = 10000

local function session(id)
  local s = sessions[id]
  if s then return s end
  s = { id = id, key = base .. ':session:' .. id, record = base .. ':record:' .. id, letters = base .. ':letters:' .. id }
  sessions[id] = s
  sessionOrder[#sessionOrder + 1] = s
  local m = sure('HMGET', s.key, 'nonce', 'generation', 'owner', 'over', 'until', 'last', 'count', 'bytes', 'lease', 'listed')
  s.nonce, s.owner, s.isOver, s.lease = m[1], m[3], m[4] == '1', m[9]
  s.generation, s.until_ = tonumber(m[2] or nil), tonumber(m[5] or nil)
  s.last, s.count, s.bytes = tonumber(m[6] or nil), tonumber(m[7] or nil), tonumber(m[8] or nil)
  s.listed = tonumber(m[10] or nil)
  s.was = { s.nonce, s.generation, s.owner, s.isOver, s.until_, s.last, s.count, s.bytes, s.listed }
  s.isKept = s.nonce and s.generation and s.owner and s.until_ and s.last and s.count and s.bytes and true
  s.isThere = s.isKept and s.until_ > now
  return s
end

local function removeSession(s)
  redis.call('UNLINK', s.key, s.record, s.letters)
  sure('ZREM', expiring, s.id)
end

-- Keeps what is known of it.
local function saveSession(s)
  local was, fields = s.was, {}
  changed(fields, 'nonce', s.nonce, was[1])
  changed(fields, 'generation', s.generation, was[2])
  changed(fields, 'owner', s.owner, was[3])
  if s.isOver ~= was[4] then changed(fields, 'over', s.isOver and '1' or '0') end
  changed(fields, 'until', s.until_, was[5])
  changed(fields, 'last', s.last, was[6])
  changed(fields, 'count', s.count, was[7])
  changed(fields, 'bytes', s.bytes, was[8])
  changed(fields, 'listed', s.listed, was[9])
  if #fields > 0 then redis.call('HSET', s.key, unpack(fields)) end
end

-- Reads its letters. If something else was there, there are none.
local function lettersOf(s, from, to, ...)
  local letters, areGone = sure('XRANGE', s.letters, from, to, ...)
  if areGone then s.count, s.bytes = 0, 0 end
  return letters
end

-- Drops its letters up to a number.
local function dropLetters(s, number)
  if s.count == 0 then return end
  if number >= s.last then
    redis.call('UNLINK', s.letters)
    s.count, s.bytes = 0, 0
    return
  end
  for _, letter in ipairs(lettersOf(s, '-', int(number))) do
    s.count, s.bytes = s.count - 1, s.bytes - (tonumber(letter[2][8]) or 0)
  end
  redis.call('XTRIM', s.letters, 'MINID', int(number + 1))
end

-- Letters up to one are taken, if that is the one that is there.
local function takeMail(s, number, node, stamp)
  if s.count == 0 then s.last = math.max(s.last, number) end
  if number > s.last then return end
  if s.count > 0 and number > 0 then
    local its = lettersOf(s, int(number), int(number))[1]
    if its and (its[2][2] ~= node or its[2][4] ~= stamp) then return end
  end
  dropLetters(s, s.isOver and s.last or number)
end

-- @returns its number; 0 if there is no such session
local function post(s, node, stamp, body, bytes)
  if not s.isThere or s.isOver then return 0 end
  s.last = s.last + 1
  local _, isAlone = sure('XADD', s.letters, s.last, 'node', node, 'stamp', stamp, 'body', body, 'bytes', bytes)
  if isAlone then s.count, s.bytes = 0, 0 end
  s.count, s.bytes, s.hasMail = s.count + 1, s.bytes + bytes, true
  while s.count > countMax or (s.bytes > bytesMax and s.count > 1) do
    local oldest = lettersOf(s, '-', '+', 'COUNT', 1)[1]
    if not oldest then break end
    dropLetters(s, tonumber(string.match(oldest[1], '^%d+')))
  end
  say(base .. ':to:' .. s.owner,
    piece('letter') .. piece(s.id) .. count(s.last) .. piece(node) .. piece(stamp) .. piece(body))
  return s.last
end
`;

/** Id → nothing, or `over`, or nonce, generation, owner and the record. */
export const sessionScript = `
local s = session(arg())
if not s.isThere then return false end
if s.isOver then return 'over' end
return { s.nonce, int(s.generation), s.owner, (sure('HGETALL', s.record)) }
`;

/** Node, id, nonce, new nonce, generation, milliseconds for which it is kept at least → whether it is the node's. */
export const claimScript = `
local node, s, nonce, newNonce, generation, kept = arg(), session(arg()), arg(), arg(), number(), number()
if not s.isThere or s.isOver then return 0 end
if s.nonce ~= nonce and s.nonce ~= newNonce then return 0 end
-- What is listed as expiring earlier is looked at again then, and its keys live a day longer than that.
redis.call('HSET', s.key, 'nonce', newNonce, 'generation', int(math.max(s.generation, generation)), 'owner', node,
  'until', int(math.max(s.until_, now + kept)))
return 1
`;

/** Id, number, count → number, node, stamp and body of each letter. */
export const lettersScript = `
local s, after, some = session(arg()), number(), number()
if not s.isThere or s.count == 0 or some < 1 then return {} end
local reply = {}
for i, letter in ipairs(lettersOf(s, int(after + 1), '+', 'COUNT', int(some))) do
  local f = letter[2]
  reply[i] = piece(string.match(letter[1], '^%d+')) .. piece(f[2] or '') .. piece(f[4] or '') .. piece(f[6] or '')
end
saveSession(s)
return reply
`;

/** Count, milliseconds → whether there may be more, and id, lease and record of each. The score of one that is leased is when that is over. */
export const expiredScript = `
local most, lease = number(), number()
local reply = {}
-- Whether it may be asked again at once: a call does a bounded piece of work.
local isMore = 1
for _ = 1, 4 do
  local ids = sure('ZRANGEBYSCORE', expiring, '-inf', int(now), 'LIMIT', 0, int(most - #reply))
  for _, id in ipairs(ids) do
    local s = session(id)
    if s.isThere then
      redis.call('ZADD', expiring, int(s.until_), id)
    elseif not s.isKept or s.isOver then
      removeSession(s)
    else
      local given = seed .. (#reply + 1)
      redis.call('HSET', s.key, 'lease', given)
      redis.call('ZADD', expiring, int(now + lease), id)
      reply[#reply + 1] = { id, given, (sure('HGETALL', s.record)) }
    end
  end
  if #ids == 0 or #reply >= most then
    isMore = 0
    break
  end
end
return { isMore, reply }
`;

/** Id, lease. */
export const forgetScript = `
local s, lease = session(arg()), arg()
if s.isKept and not s.isThere and s.lease == lease then removeSession(s) end
`;
