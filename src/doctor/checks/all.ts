import type { Check } from '../check.ts'
import type { DoctorContext } from '../context.ts'
import { config } from './files/config.ts'
import { diskSpace } from './files/disk-space.ts'
import { descriptors } from './machine/descriptors.ts'

/** All that doctor looks at, in the order in which it is told. */
export const ALL_CHECKS: readonly Check<DoctorContext>[] = [
  // files
  config,
  diskSpace,
  // machine
  descriptors,
  // daemon
  // network
  // hub
  // services
  // hub-here
]
