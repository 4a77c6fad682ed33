/** A line of a log, without what others have put there. */
export interface BundledLine {
  /** RFC 3339; null of a line that is not ours, such as one of a crash report. */
  readonly time: string | null
  readonly level: string | null
  readonly text: string
}

/** How a file of ours stands, by what it is for; nothing of what is in it. */
export interface BundledFile {
  readonly kind: string
  /** In octal, type included; all are null if it is not there, or can't be looked at. */
  readonly mode: string | null
  readonly bytes: number | null
  readonly isOurs: boolean | null
  /** RFC 3339 */
  readonly changedAt: string | null
}

/** A unit or a plist, as it lies on the disk. */
export interface BundledService {
  readonly name: string
  /** Null if there is no such file. */
  readonly lines: readonly string[] | null
}
