// The worker that has the session of all tabs.
import { serveTabs } from '@halyard/client/tabs-worker';

serveTabs();
