// What a session machine needs to go on elsewhere: plain data.

export interface StreamState<Frame> {
  /** How many counted packets of the peer need not come again. */
  readonly received: number;
  /** How many frames the peer has confirmed, … */
  readonly confirmed: number;
  /** … and those after them, each with its mark. */
  readonly frames: readonly (readonly [frame: Frame, mark: number])[];
  /** Number of the last acknowledgement that was asked for. */
  readonly asked: number;
  /** Everything that was transmitted with a stamp up to this one is known to be handled by the peer. */
  readonly confirmedStamp: number;
}
