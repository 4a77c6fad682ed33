import { readReaches } from '../../../config/reaches.ts'
import { readServices } from '../../../config/services.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { unlessToldByMode } from './told-by-mode.ts'

/** An agent that can't read a list of its own offers, or holds, nothing of it. */
export const lists: Check<DoctorContext> = {
  name: 'lists',
  group: 'files',
  title: 'What is exposed and kept',
  async run(context) {
    const { instance } = context
    const [services, reaches] = await unlessToldByMode(
      context,
      [instance.servicesFile, instance.reachesFile],
      () => [readServices(instance).length, readReaches(instance).length] as const,
    )
    return {
      state: 'ok',
      seen: `${counted(services, 'service')} and ${counted(reaches, 'kept reach', 'kept reaches')} are listed`,
    }
  },
}
