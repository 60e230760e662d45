// The scenes of the simulator by their names. Every run of several servers ends with one, or with none.
import type { Random } from '@halyard/harness/random';
import {
  askBeforeMove,
  emitAside,
  leaveAndMove,
  leaveBehindLoss,
  leaveInLoss,
  leaveLongBefore,
  loseLetter,
  loseSession,
  replace,
  sayAgain,
  writeBehind,
  writeOn,
} from './scenes/losses';
import {
  claimBehind,
  claimLate,
  endBehind,
  expire,
  finishBehind,
  killBehind,
  moveBetweenRooms,
  waitForStore,
} from './scenes/moves';
import type { Scene } from './scenes/stage';
import { loseUnreadLast } from './scenes/unread';

const scenes: Readonly<Record<string, Scene>> = {
  'kill behind': killBehind,
  'finish behind': finishBehind,
  'end behind': endBehind,
  'claim late': claimLate,
  'claim behind': claimBehind,
  expire,
  'move between rooms': moveBetweenRooms,
  'wait for store': waitForStore,
  'lose unread': loseUnreadLast,
  'emit aside': emitAside,
  'ask before move': askBeforeMove,
  replace,
  'lose letter': loseLetter,
  'lose session': loseSession,
  'say again': sayAgain,
  'write on': writeOn,
  'write behind': writeBehind,
  'leave in loss': leaveInLoss,
  'leave behind loss': leaveBehindLoss,
  'leave and move': leaveAndMove,
  'leave long before': leaveLongBefore,
};

export const sceneNames = Object.keys(scenes);

/** @throws Error if there is none of that name */
export function sceneOf(name: string): Scene {
  const scene = scenes[name];
  if (scene === undefined)
    throw new Error(`There is no scene "${name}" (--scene): it is one of ${sceneNames.join(', ')}.`);
  return scene;
}

/**
 * @param excuse what loses sessions in the run anyway
 * @param isLongAway whether clients are away for longer than sessions wait anyway
 * @returns the scene that a run ends with
 */
export function drawScene(random: Random, excuse: Scene['excuse'], isLongAway: boolean): Scene | undefined {
  if (random.chance(0.2)) return undefined;
  const fits = (scene: Scene): boolean =>
    scene.excuse === excuse || (scene.excuse === 'long away' && isLongAway && excuse === undefined);
  return random.pick(Object.values(scenes).filter(fits));
}
