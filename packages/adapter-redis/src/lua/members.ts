// Who is there: a sorted set of nodes, by when each was heard of last, all of it by the clock of Redis.

/** Functions of members, for scripts that need them. */
export const memberFunctions = `
local nodes, said = base .. ':nodes', base .. ':nodes'
-- Who has not been heard of for so long is gone.
local dead = 6000

local function tell(what, node)
  redis.call('SPUBLISH', said, piece(what) .. piece(node))
end
`;

/** Node, number of a marker → all nodes that are there. Says the marker to the node itself. */
export const beatScript = `
local node, marker = arg(), number()
local beat = base .. ':beat'
local before = sure('HMGET', beat, 'last', 'grace')
local last, grace = tonumber(before[1] or nil), tonumber(before[2] or nil) or 0
-- Nobody could be heard of: so long nobody is taken for dead.
if not last or clock - last > 4000 then grace = clock + dead end
redis.call('HSET', beat, 'last', int(clock), 'grace', int(grace))
redis.call('PEXPIRE', beat, day)
if sure('ZADD', nodes, int(clock), node) == 1 then tell('joined', node) end
if clock >= grace then
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', int(clock - dead), 'LIMIT', 0, 256)) do
    redis.call('ZREM', nodes, gone)
    tell('left', gone)
  end
end
redis.call('PEXPIRE', nodes, day)
redis.call('SPUBLISH', base .. ':to:' .. node, piece('marker') .. count(marker))
return redis.call('ZRANGE', nodes, 0, -1)
`;

/** The same of one that is not to be among them: it looks, and says nothing. */
export const watchScript = `
local node, marker = arg(), number()
redis.call('SPUBLISH', base .. ':to:' .. node, piece('marker') .. count(marker))
return (sure('ZRANGE', nodes, 0, -1))
`;

/** Node → the number of its last commit. */
export const lastScript = `
return tonumber(sure('HGET', base .. ':commits:' .. arg(), 'number') or nil) or 0
`;

/** Node: what is known of its commits is not needed any more. Calls that are still on their way find it. */
export const departScript = `
redis.call('PEXPIRE', base .. ':commits:' .. arg(), 10000)
`;

/** Node, number of a marker, of partitions where nobody looks who is there. */
export const markScript = `
redis.call('SPUBLISH', base .. ':to:' .. arg(), piece('marker') .. count(number()))
`;

/** → all nodes that are there. */
export const nodesScript = `
return (sure('ZRANGE', nodes, 0, -1))
`;

/** Node. */
export const leaveScript = `
local node = arg()
if sure('ZREM', nodes, node) == 1 then tell('left', node) end
`;

/** Node: does all that scripts do, and leaves nothing, so that who may not do it is told at once. */
export const probeScript = `
local key = base .. ':probe:' .. arg()
redis.call('HSET', key, 'a', '1', 'b', '2')
redis.call('HDEL', key, 'b')
redis.call('HMGET', key, 'a')
redis.call('HGETALL', key)
redis.call('HEXISTS', key, 'a')
redis.call('HGET', key, 'a')
redis.call('TYPE', key)
redis.call('UNLINK', key)
redis.call('XADD', key, '1', 'a', '1')
redis.call('XRANGE', key, '-', '+', 'COUNT', 1)
redis.call('XTRIM', key, 'MINID', '2')
redis.call('UNLINK', key)
redis.call('ZADD', key, '1', 'a')
redis.call('ZRANGE', key, 0, -1)
redis.call('ZCARD', key)
redis.call('ZRANGEBYSCORE', key, '-inf', '1', 'LIMIT', 0, 1)
redis.call('ZREM', key, 'a')
redis.call('SET', key, '1', 'PX', 1000)
redis.call('GET', key)
redis.call('PEXPIRE', key, 1000)
redis.call('UNLINK', key)
redis.call('PUBSUB', 'SHARDNUMSUB', key)
redis.call('SPUBLISH', key, '')
`;
