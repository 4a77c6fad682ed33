import { holderOfHubName } from '../../config/claimed-names.ts'
import { instanceFor } from '../../config/instance.ts'
import { ConnectError } from '../../errors.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'
import { selectPlatform, type SelectOptions } from './select.ts'

/**
 * Before anything is done with the hub's service: an agent that was installed before the name was the hub's
 * may still have it, on whichever platform.
 *
 * @throws ConnectError HUB_NAME_TAKEN
 */
export async function refuseTakenHubName(options: Omit<SelectOptions, 'purpose'>): Promise<void> {
  const holder = holderOfHubName()
  if (holder === undefined) return
  const context = { ...options.context, instance: instanceFor(holder) }
  const { description } = await selectPlatform({ ...options, context, purpose: 'use' })
  if (!(await description.isInstalled(context))) return
  const message = `An agent’s service has the name that is the hub’s now: that of ${tilde(holder)}`
  throw new ConnectError('HUB_NAME_TAKEN', message, {
    hints: [`Have it installed anew, by another name: connect daemon install --config ${shellQuote(holder)}`],
  })
}
