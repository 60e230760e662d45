// What attackers do to a server on the host node, and what honest clients notice of it: nothing.
import { hostileSuite } from './suite';

hostileSuite('node');
