import { ConnectError } from '../errors.ts'

/** Thrown by a check that could not look at what it is about, and by what several rest on: it is unknown. */
export class Unseen extends Error {
  override readonly name = 'Unseen'
  /** What has it be seen. */
  readonly fix: string | undefined

  /** @param why a sentence without its full stop */
  constructor(why: string, fix?: string, options?: ErrorOptions) {
    super(why, options)
    this.fix = fix
  }
}

/** For what is no check's own subject. @throws Unseen in the place of a ConnectError */
export async function unseen<T>(looking: Promise<T>): Promise<T> {
  try {
    return await looking
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    throw new Unseen(error.message, error.fix, { cause: error })
  }
}
