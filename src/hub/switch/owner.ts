/** Whose a link is, and with it the ends of streams there. */
export interface Owner {
  readonly id: string
  readonly workspace: string
}
