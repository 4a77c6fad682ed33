import { readReaches } from '../../../config/reaches.ts'
import { readServices } from '../../../config/services.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { told } from '../../told.ts'

/** An agent that can't read a list of its own offers, or holds, nothing of it. */
export const lists: Check<DoctorContext> = {
  name: 'lists',
  group: 'files',
  title: 'What is exposed and kept',
  run: ({ instance }) =>
    told(async () => {
      const [services, reaches] = [readServices(instance).length, readReaches(instance).length]
      return {
        state: 'ok',
        seen: `${counted(services, 'service')} and ${counted(reaches, 'kept reach', 'kept reaches')} are listed`,
      }
    }),
}
