// What a machine has come to, for another one.
import type { MovableMachine, StreamState } from '../src/stream/movable-machine';

export function stateOf<F extends { readonly length: number }>(machine: MovableMachine<F>): StreamState<F> {
  return { ...machine.counts(), frames: [...machine.framesAfter(0)].map(([, frame, mark]) => [frame, mark]) };
}
