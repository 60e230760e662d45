// What all scripts begin with: arguments, time, pieces. KEYS[1] is what all names of the partition begin with, so that every key
// that a script makes of it is in the slot of that one.

/** Arguments that every script has first: see `Scripts`. */
export const commonArguments = 5;

export const prelude = `
local base = KEYS[1]
local ahead, seed = tonumber(ARGV[1]), ARGV[2]
local ageMax, countMax, bytesMax = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local list, at = ARGV, ${commonArguments}

local function arg()
  at = at + 1
  return list[at]
end

-- A missing or wrong number ends a script before it has written anything.
local function number()
  return assert(tonumber(arg()), 'ERR a number is missing')
end

-- Not tostring, which rounds what has more than 14 digits. Redis writes numbers as they are that it is given as arguments.
local function int(n)
  return string.format('%.0f', n)
end

local function piece(text)
  return #text .. ':' .. text
end

local function count(n)
  return piece(int(n))
end

-- Puts a field into a list for HSET if it is not what it was.
local function changed(list, name, value, was)
  if value == was then return end
  list[#list + 1] = name
  list[#list + 1] = value
end

-- How much was removed that no script has written: who has called is told.
local strange = 0

local function remove(key)
  redis.call('UNLINK', key)
  strange = strange + 1
end

-- A command on a key under which anybody may have put something: what is of another type, or a stream that is ahead, is removed, and the
-- command is done as if nothing were there. @returns its answer, and whether that was so
local function sure(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then return reply, false end
  local isStrange = string.find(reply.err, 'WRONGTYPE', 1, true) or string.find(reply.err, 'equal or smaller', 1, true)
  if not isStrange then error(reply) end
  remove(key)
  return redis.call(command, key, ...), true
end

-- What is said is said once everything is written: where that is not allowed any more, nothing is half done.
local sayings = {}

local function say(channel, message)
  sayings[#sayings + 1] = channel
  sayings[#sayings + 1] = message
end

local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now = clock + ahead
-- What nobody comes for is cleaned up by Redis itself, a day later than it is decided on.
local day = 86400000
local hour = 3600000
`;

/** What a script does is a function: its answer goes as it is, or behind how much was strange. */
export const enclosed = (script: string): string => `
local function main()
${script}
end
local reply = main()
for i = 1, #sayings, 2 do redis.call('SPUBLISH', sayings[i], sayings[i + 1]) end
if strange > 0 then return { { strange }, reply } end
return reply
`;
