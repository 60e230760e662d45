// What all processes of one prefix have to have in common: said by every server when it comes, and now and then.

/**
 * Version, codec of records, codecs of bodies, whether it is a guest → the version, codec, codecs and limits that servers have said; none
 * if there are none. Nothing is changed where the version or the codec is another one, or where servers are there that would take bodies
 * for those of other codecs. All of it stays longer than any record.
 */
export const termsScript = `
local key = base .. ':terms'
local version, codec, codecs, isGuest = arg(), arg(), arg(), arg() == '1'
local function its()
  return (sure('HMGET', key, 'version', 'codec', 'codecs', 'age', 'count', 'bytes'))
end
-- A body is told by its place among the codecs: what both have is at the same one.
local function agree(one, other)
  one, other = one .. ',', other .. ','
  local shorter = math.min(#one, #other)
  return string.sub(one, 1, shorter) == string.sub(other, 1, shorter)
end
local function isSomebodyThere()
  return #sure('ZRANGEBYSCORE', nodes, int(clock - dead), '+inf', 'LIMIT', 0, 1) > 0
end
local before = its()
if not before[1] and redis.call('EXISTS', key) == 1 and not isGuest then remove(key) end
local isKnown = before[1] == version and before[2] == codec
local hasOthers = isKnown and isSomebodyThere()
local maySay = not before[1] or (isKnown and (not hasOthers or agree(before[3] or '', codecs)))
if not isGuest and maySay then
  -- One with fewer of them is in nobody's way, and does not let in who is.
  if hasOthers and #before[3] > #codecs then codecs = before[3] end
  redis.call('HSET', key, 'version', version, 'codec', codec, 'codecs', codecs, 'age', int(ageMax), 'count', int(countMax),
    'bytes', int(bytesMax))
  redis.call('PEXPIRE', key, day * 3)
end
return its()
`;
