// What all processes of one prefix have to have in common: said by every server when it comes, and now and then.

/**
 * Version, codec of records, codecs of bodies, whether it is a guest → the version, codec, codecs and limits that servers have said; none
 * if there are none. Nothing is changed where the version or the codec is another one. All of it stays longer than any record.
 */
export const termsScript = `
local key = base .. ':terms'
local version, codec, codecs, isGuest = arg(), arg(), arg(), arg() == '1'
local function its()
  return (sure('HMGET', key, 'version', 'codec', 'codecs', 'age', 'count', 'bytes'))
end
local before = its()
if not before[1] and redis.call('EXISTS', key) == 1 and not isGuest then remove(key) end
if not isGuest and (not before[1] or (before[1] == version and before[2] == codec)) then
  redis.call('HSET', key, 'version', version, 'codec', codec, 'codecs', codecs, 'age', int(ageMax), 'count', int(countMax),
    'bytes', int(bytesMax))
  redis.call('PEXPIRE', key, day * 3)
end
return its()
`;
