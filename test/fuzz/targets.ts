// All targets.
import type { Target } from './target';
import { answerTargets } from './targets/answers';
import { bodyTargets } from './targets/bodies';
import { codecTargets } from './targets/codecs';
import { httpTargets } from './targets/http';
import { storedTargets } from './targets/stored';

export const targets: readonly Target[] = [
  ...codecTargets,
  ...bodyTargets,
  ...storedTargets,
  ...answerTargets,
  ...httpTargets,
];
