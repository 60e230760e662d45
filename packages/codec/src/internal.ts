// What Halyard's other codecs, each in a package of its own, share with json. Not for apps: it is outside the promise of
// version numbers, and packages that import it are released together with this one.
export { checkPacket, fieldDepthMax, Trait } from './data';
export { bytesOf, copyOf, guarded, undecodable } from './frame';
export { isIndexed, keepApart, objectOf } from './indexed';
export { madePlain } from './plain';
