// One commit of a node to a partition: all of it in its order, or nothing. It is read and checked before anything is written.

/**
 * One argument, a list as MessagePack: node, number, branch, spreads, steps, records → the number of the last one that was done, if this one is not to be; or the result.
 * A spread is where a message to several logs is, in their order.
 * Of a step: `top`, log | `entry`, log, key, stamp, bytes, blob, spread, earlier, latest | `letter`, session, key, stamp, bytes, body.
 * An entry has the number of its spread, from 1, and how many places there come before it, or 0 and 0.
 * A key has `=` in front, or is empty if there is none. A position is epoch and offset, or empty and which step of this commit.
 * Stamps are texts: they have more digits than a number keeps when it becomes one.
 */
export const commitScript = `
list, at = cmsgpack.unpack(arg()), 0
local node, its, branch = arg(), number(), number()
local state = base .. ':commits:' .. node
local before = sure('HMGET', state, 'number', 'branch')
local last, lastBranch = tonumber(before[1] or nil) or 0, tonumber(before[2] or nil) or 0
if before[1] and its == last and branch == lastBranch then
  -- It writes: who waits for replicas waits for what this connection has written last.
  redis.call('PEXPIRE', state, hour)
  return redis.call('HGET', state, 'result')
end
if its ~= last + 1 or branch < lastBranch then return last end

-- Where what was stored under a key is, as epoch and offset with the time in front until when that counts.
local keys = {}
local function keyed(where, key)
  if key == '' then return nil end
  local name = base .. ':key:' .. where .. ' ' .. string.sub(key, 2)
  if keys[name] == nil then
    local kept = sure('GET', name)
    keys[name] = false
    if kept then
      local till, epoch, offset = string.match(kept, '^(%d+) (%S*) (%d+)$')
      if till and tonumber(till) > now then keys[name] = { epoch, tonumber(offset) } end
    end
  end
  return name
end

local function places()
  local list = {}
  for i = 1, number() do
    local epoch = arg()
    list[i] = { epoch, number() }
  end
  return list
end

local steps, records, spreads = {}, {}, {}
for i = 1, number() do spreads[i] = { places = places(), pieces = {} } end
for i = 1, number() do
  local step = { kind = arg() }
  steps[i] = step
  local name = arg()
  if step.kind == 'letter' then step.to = session(name) else step.log = log(name) end
  if step.kind ~= 'top' then
    step.key = keyed((step.to and 'to ' or 'in ') .. name, arg())
    step.stamp = arg()
    step.bytes = number()
    step.body = arg()
    if step.log then
      step.spread, step.earlier, step.latest = spreads[number()], number(), arg()
      assert(step.earlier == 0 or step.spread.places[step.earlier], 'ERR a place that is not there')
    end
  end
end
for i = 1, number() do
  local r = { session = session(arg()), nonce = arg(), generation = number(), isWhole = arg() == 1, isOver = arg() == 1 }
  records[i] = r
  r.kept = number()
  if not r.isWhole and not r.isOver then
    -- A part of a record is nothing without the rest of it.
    local kind = redis.call('TYPE', r.session.record).ok
    r.isBroken = kind ~= 'hash'
    if r.isBroken and kind ~= 'none' then remove(r.session.record) end
  end
  r.mail, r.mailNode, r.mailStamp = number(), arg(), arg()
  r.set, r.del = {}, {}
  for _ = 1, number() do
    local name, part = arg(), arg()
    if part == '' then r.del[#r.del + 1] = name else r.set[#r.set + 1] = name r.set[#r.set + 1] = part end
  end
  r.names = {}
  for j = 1, number() do r.names[j] = arg() end
  r.places = places()
end

-- Where nothing is listed any more, those that are written now are listed again.
local isUnlisted = #records > 0 and sure('ZCARD', expiring) == 0

-- From here on it writes.
beginLogs()
local positions, repeated = {}, {}
local function placed(place)
  return place[1] ~= '' and place or assert(positions[place[2] + 1], 'ERR a step that is not before')
end

-- So many places are said by each entry itself. Of more it has the name, and they are stored and said once: else it would be as much
-- as all logs of a message squared.
local ownMax = 16

local function known(spread, some)
  for i = #spread.pieces + 1, some do
    local p = placed(spread.places[i])
    spread.pieces[i] = piece(p[1]) .. count(p[2])
  end
  return count(some) .. table.concat(spread.pieces, '', 1, some)
end

local function earlierOf(spread, some)
  if some == 0 then return '', piece('') .. count(0) end
  if #spread.places <= ownMax then return '', piece('') .. known(spread, some) end
  if not spread.name then
    fresh = fresh + 1
    spread.name, spread.most = seed .. fresh, 0
    -- Right before the first that has its name: who is told keeps no more than one.
    say(base .. ':spreads', '')
    spread.said = #sayings
  end
  spread.most = math.max(spread.most, some)
  return spread.name, piece(spread.name) .. count(some)
end

for i, step in ipairs(steps) do
  local done = step.key and keys[step.key]
  if done then
    repeated[#repeated + 1] = count(i - 1)
    positions[i] = done
  elseif step.kind == 'top' then
    positions[i] = { step.log.epoch, step.log.top }
  else
    if step.to then
      positions[i] = { '', post(step.to, node, step.stamp, step.body, step.bytes) }
    else
      local name, earlier = earlierOf(step.spread, step.earlier)
      append(step.log, step.stamp, node, name, earlier, step.bytes, step.body, step.latest)
      positions[i] = { step.log.epoch, step.log.top }
    end
    -- Of a letter that finds no session nothing is known later: it may be said again.
    if step.key and positions[i][2] > 0 then
      keys[step.key] = positions[i]
      redis.call('SET', step.key, int(now + hour) .. ' ' .. positions[i][1] .. ' ' .. int(positions[i][2]), 'PX', hour)
    end
  end
end
saveLogs()
for _, spread in ipairs(spreads) do
  if spread.name then
    local all = known(spread, spread.most)
    redis.call('SET', base .. ':spread:' .. spread.name, all, 'PX', ageMax + linger * 4)
    sayings[spread.said] = piece(spread.name) .. all
  end
end

local fenced, missing, mailed = {}, {}, {}
for _, r in ipairs(records) do
  local s = r.session
  if s.isThere and (s.nonce ~= r.nonce or s.isOver) then
    fenced[#fenced + 1] = piece(s.id) .. count(s.generation)
  elseif r.isBroken or (not s.isThere and not r.isWhole and not r.isOver) then
    missing[#missing + 1] = piece(s.id)
  else
    if not s.isThere then
      -- One that is merely missing is written again by its living owner, and one that has expired: it was only quiet.
      redis.call('UNLINK', s.key, s.record, s.letters)
      s.generation, s.last, s.count, s.bytes, s.isThere = 0, 0, 0, 0, true
      s.was, s.listed = {}, nil
    end
    s.nonce, s.owner, s.isOver = r.nonce, node, r.isOver
    s.generation, s.until_ = math.max(s.generation, r.generation), now + r.kept
    takeMail(s, r.mail, r.mailNode, r.mailStamp)
    if r.isWhole or r.isOver then redis.call('UNLINK', s.record) end
    for _, name in ipairs(r.del) do redis.call('HDEL', s.record, name) end
    for j = 1, #r.set, 200 do
      redis.call('HSET', s.record, unpack(r.set, j, math.min(j + 199, #r.set)))
    end
    for j, name in ipairs(r.names) do
      local p = placed(r.places[j])
      redis.call('HSET', s.record, name, 't' .. p[1] .. ' ' .. int(p[2]))
    end
    local isLate = not s.listed or s.until_ < s.listed or s.until_ > s.listed + unlisted
    if isLate or isUnlisted or r.isWhole or r.isOver then
      s.listed = s.until_
      redis.call('ZADD', expiring, s.until_, s.id)
      redis.call('PEXPIRE', s.record, r.kept + day)
      s.isListed = true
    end
    saveSession(s)
    if s.isListed then redis.call('PEXPIRE', s.key, r.kept + day) end
    s.hasMail = nil
    if s.count > 0 then
      redis.call('PEXPIRE', s.letters, r.kept + day)
      mailed[#mailed + 1] = piece(s.id)
    end
  end
end
-- Of those who have got letters, and were not written.
for _, s in ipairs(sessionOrder) do
  if s.hasMail then
    saveSession(s)
    redis.call('PEXPIRE', s.letters, int(s.until_ - now + day))
  end
end

local out = { count(#positions) }
for _, p in ipairs(positions) do out[#out + 1] = piece(p[1]) .. count(p[2]) end
for _, list in ipairs({ repeated, fenced, missing, mailed }) do
  out[#out + 1] = count(#list) .. table.concat(list)
end
local result = table.concat(out)
redis.call('HSET', state, 'number', its, 'branch', branch, 'result', result)
redis.call('PEXPIRE', state, hour)
return result
`;
