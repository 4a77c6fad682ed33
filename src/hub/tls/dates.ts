const DAY_MS = 86_400_000

/** How many days before its end a certificate is spoken of. */
const STAGES = [0, 1, 7, 21]

export interface Validity {
  readonly validFrom: Date
  readonly validTo: Date
}

export interface DateWarning {
  /** The lower, the more urgent: the stage of the warnings that has been reached, in days. */
  readonly stage: number
  /** A sentence without a full stop. */
  readonly text: string
}

/**
 * What is to be said of the dates of a certificate.
 *
 * @param what for example `The certificate /etc/hub.pem`
 * @param now in ms since 1970
 * @returns undefined if it is fine for more than 21 days
 */
export function dateWarning(what: string, validity: Validity, now: number): DateWarning | undefined {
  const { validFrom, validTo } = validity
  const left = validTo.getTime() - now
  const stage = STAGES.find((days) => left <= days * DAY_MS)
  if (stage === 0) return { stage, text: `${what} expired on ${day(validTo)}: no agent accepts it` }
  if (validFrom.getTime() > now)
    return { stage: 0, text: `${what} is valid only from ${day(validFrom)} on: no agent accepts it before` }
  if (stage === undefined) return undefined
  const days = Math.floor(left / DAY_MS)
  const when = days === 0 ? 'in less than a day' : days === 1 ? 'in a day' : `in ${days} days`
  return { stage, text: `${what} ends ${when}, on ${day(validTo)}: then no agent accepts it any more` }
}

/** @returns `2026-11-22` */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
