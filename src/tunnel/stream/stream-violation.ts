/** A peer broke the rules of one stream; that stream is reset, its link goes on. */
export class StreamViolation extends Error {
  override readonly name = 'StreamViolation'
  readonly kind: 'FLOW_CONTROL' | 'PROTOCOL'

  constructor(kind: 'FLOW_CONTROL' | 'PROTOCOL', message: string) {
    super(message)
    this.kind = kind
  }
}
