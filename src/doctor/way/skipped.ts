/** There is nothing to look at, or what it rests on has failed, which is told there. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}
