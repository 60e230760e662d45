// Logs: a hash says where one is, a stream has its entries by offset. Scripts load the logs that they need before they write anything,
// and save them at the end.

/** Functions of logs, for scripts that need them. */
export const logFunctions = `
local logs, logOrder, fresh = {}, {}, 0
-- Followers may be away for a moment: so much longer a log stays that nobody seems to follow.
local linger = 30000

-- Loads a log. One that nobody can have entries of any more is another one.
local function log(name)
  local log = logs[name]
  if log then return log end
  local key = base .. ':log:' .. name
  log = { key = key, entries = base .. ':entries:' .. name, newest = base .. ':newest:' .. name }
  logs[name] = log
  logOrder[#logOrder + 1] = log
  local m = sure('HMGET', key, 'epoch', 'top', 'stamp', 'node', 'first', 'bytes', 'old', 'at', 'used', 'ttl',
    'missed')
  log.epoch = m[1]
  log.top, log.stamp, log.node = tonumber(m[2] or nil), m[3], m[4]
  log.first, log.bytes, log.old = tonumber(m[5] or nil), tonumber(m[6] or nil), tonumber(m[7] or nil)
  log.at, log.used, log.ttl = tonumber(m[8] or nil), tonumber(m[9] or nil), tonumber(m[10] or nil)
  log.missed = tonumber(m[11] or nil)
  log.was = { log.epoch, log.top, log.stamp, log.node, log.first, log.bytes, log.old, log.at, log.ttl, log.missed }
  local isWhole = log.epoch and log.top and log.stamp and log.node and log.first and log.bytes and log.old
    and log.at and log.used and log.ttl and log.missed
  if isWhole and log.used + ageMax + linger <= now then
    -- Whoever is subscribed follows it.
    isWhole = redis.call('PUBSUB', 'SHARDNUMSUB', key)[2] > 0
  end
  if not isWhole then
    fresh = fresh + 1
    log.epoch = seed .. fresh
    log.top, log.stamp, log.node, log.first, log.bytes, log.old, log.at, log.ttl = 0, '0', '', 1, 0, 0, 0, 0
    log.missed = 0
    log.isNew, log.was = true, {}
  end
  return log
end

-- From here on a script writes.
local function beginLogs()
  for _, log in ipairs(logOrder) do
    if log.isNew then redis.call('UNLINK', log.key, log.entries, log.newest) end
  end
end

-- Another log of the same name, without entries.
local function renewLog(log)
  fresh = fresh + 1
  log.epoch = seed .. fresh
  log.top, log.stamp, log.node, log.first, log.bytes, log.missed = 0, '0', '', 1, 0, 0
  redis.call('UNLINK', log.entries, log.newest)
  say(log.key, piece('renewed') .. piece(log.epoch))
end

-- The entries up to an offset are gone, whoever has taken them.
local function lose(log, offset)
  log.first, log.missed = offset + 1, offset
end

-- An entry is dropped. That is no loss if a newer one has taken its place: of what has a key only the newest matters.
local function drop(log, offset, key)
  if key then
    local newest = tonumber(sure('HGET', log.newest, key) or nil) or 0
    if newest > offset then return end
    redis.call('HDEL', log.newest, key)
  end
  log.missed = offset
end

-- Drops what is too old or too much. Entries that are all too old go at once, and of others no more than some for their age.
local function trim(log)
  if log.first > log.top then return end
  if log.at + ageMax <= now then
    redis.call('UNLINK', log.entries, log.newest)
    log.bytes = 0
    lose(log, log.top)
    return
  end
  local dropped, some = 0, 2
  local function isOver(offset, since)
    local kept = log.top - offset + 1
    return kept > countMax or (log.bytes > bytesMax and kept > 1) or (since + ageMax <= now and dropped < 256)
  end
  if not isOver(log.first, log.old) then return end
  while true do
    local entries = sure('XRANGE', log.entries, '-', '+', 'COUNT', some)
    some = 32
    if #entries == 0 then
      redis.call('UNLINK', log.newest)
      log.bytes = 0
      lose(log, log.top)
      return
    end
    for _, entry in ipairs(entries) do
      local offset, since = tonumber(string.match(entry[1], '^%d+')), tonumber(entry[2][2]) or 0
      if offset > log.first then lose(log, offset - 1) end
      log.old = since
      if not isOver(offset, since) then
        redis.call('XTRIM', log.entries, 'MINID', int(offset))
        return
      end
      log.bytes = log.bytes - (tonumber(entry[2][4]) or 0)
      drop(log, offset, entry[2][10])
      log.first = offset + 1
      dropped = dropped + 1
    end
    redis.call('XTRIM', log.entries, 'MINID', int(log.first))
    if log.first > log.top then return end
  end
end

local function saveLogs()
  for _, log in ipairs(logOrder) do
    trim(log)
    local isDue = now - log.ttl > linger
    if isDue or log.hasEntry then
      log.ttl = now
      redis.call('PEXPIRE', log.entries, ageMax + linger * 4)
      if isDue then redis.call('PEXPIRE', log.newest, ageMax + linger * 4) end
    end
    local was, fields = log.was, { 'used', now }
    changed(fields, 'epoch', log.epoch, was[1])
    changed(fields, 'top', log.top, was[2])
    changed(fields, 'stamp', log.stamp, was[3])
    changed(fields, 'node', log.node, was[4])
    changed(fields, 'first', log.first, was[5])
    changed(fields, 'bytes', log.bytes, was[6])
    changed(fields, 'old', log.old, was[7])
    changed(fields, 'at', log.at, was[8])
    changed(fields, 'ttl', log.ttl, was[9])
    changed(fields, 'missed', log.missed, was[10])
    redis.call('HSET', log.key, unpack(fields))
    if log.ttl == now then redis.call('PEXPIRE', log.key, ageMax + day) end
  end
end

-- Appends an entry. \`spread\` is the name of what \`earlier\` counts, or empty if it is a list of its own; \`blob\` is what the node has
-- made of the rest; \`latest\` is the key under which only the newest matters, or empty.
local function append(log, stamp, node, spread, earlier, bytes, blob, latest)
  local offset = log.top + 1
  local message = piece('entry') .. piece(log.epoch) .. count(offset) .. piece(stamp) .. piece(node)
    .. piece(log.stamp) .. piece(log.node) .. earlier .. blob
  local entry = { 't', now, 'n', bytes, 'm', message, 's', spread }
  if latest ~= '' then entry[9], entry[10] = 'k', latest end
  local _, isAlone = sure('XADD', log.entries, offset, unpack(entry))
  if isAlone then
    redis.call('UNLINK', log.newest)
    log.bytes = 0
    lose(log, offset - 1)
  end
  if latest ~= '' and sure('HSET', log.newest, latest, int(offset)) == 1 then
    redis.call('PEXPIRE', log.newest, ageMax + linger * 4)
  end
  say(log.key, message)
  if log.first > log.top then log.old, log.hasEntry = now, true end
  log.top, log.stamp, log.node, log.at = offset, stamp, node, now
  log.bytes = log.bytes + bytes
end
`;

/** Names → for each epoch, top, stamp and node. */
export const topsScript = `
local names = {}
for i = 1, number() do names[i] = arg() end
for _, name in ipairs(names) do log(name) end
beginLogs()
saveLogs()
local reply = {}
for i, name in ipairs(names) do
  local log = log(name)
  reply[i] = { log.epoch, int(log.top), log.stamp, log.node }
end
return reply
`;

/** Name, epoch → epoch and top. */
export const renewScript = `
local log, epoch = log(arg()), arg()
beginLogs()
if log.epoch == epoch then renewLog(log) end
saveLogs()
return { log.epoch, int(log.top) }
`;

/** Name, offset, count → epoch, first, top, missed, and then each entry as it was told, with the spread that it names or nothing. */
export const readScript = `
local log, after, some = log(arg()), number(), number()
beginLogs()
saveLogs()
local reply = { log.epoch, int(log.first), int(log.top), int(log.missed) }
if after + 1 < log.first or after >= log.top or some < 1 then return reply end
local entries = sure('XRANGE', log.entries, int(after + 1), '+', 'COUNT', int(some))
if #entries == 0 or entries[1][1] ~= int(after + 1) .. '-0' then
  -- They are gone, though nobody has dropped them.
  local oldest = redis.call('XRANGE', log.entries, int(after + 1), '+', 'COUNT', 1)[1]
  lose(log, oldest and tonumber(string.match(oldest[1], '^%d+')) - 1 or log.top)
  redis.call('HSET', log.key, 'first', int(log.first), 'missed', int(log.missed))
  reply[2], reply[4] = int(log.first), int(log.missed)
  return reply
end
for _, entry in ipairs(entries) do
  local name = entry[2][8] or ''
  local spread = name == '' and name or sure('GET', base .. ':spread:' .. name)
  if not spread then
    -- Whom it was for is not known any more: it is gone, and so is what was before it.
    lose(log, tonumber(string.match(entry[1], '^%d+')))
    redis.call('XTRIM', log.entries, 'MINID', int(log.first))
    redis.call('HSET', log.key, 'first', int(log.first), 'missed', int(log.missed))
    return { log.epoch, int(log.first), int(log.top), int(log.missed) }
  end
  reply[#reply + 1] = entry[2][6] or ''
  reply[#reply + 1] = spread
end
return reply
`;

/** Node, names: those that are there are used, and so stay; and so does what is known of the node's commits. */
export const touchScript = `
redis.call('PEXPIRE', base .. ':commits:' .. arg(), hour)
for _ = 1, number() do
  local key = base .. ':log:' .. arg()
  if sure('HEXISTS', key, 'epoch') == 1 then
    redis.call('HSET', key, 'used', int(now))
    redis.call('PEXPIRE', key, int(ageMax + day))
  end
end
`;
