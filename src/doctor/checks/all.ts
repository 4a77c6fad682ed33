import type { Check } from '../check.ts'
import type { DoctorContext } from '../context.ts'
import { answers } from './daemon/answers.ts'
import { autostart } from './daemon/autostart.ts'
import { crashLoop } from './daemon/crash-loop.ts'
import { duplicates } from './daemon/duplicates.ts'
import { lingering } from './daemon/lingering.ts'
import { managerNotes } from './daemon/manager-notes.ts'
import { program } from './daemon/program.ts'
import { reconnectLoop } from './daemon/reconnect-loop.ts'
import { running } from './daemon/running.ts'
import { serviceFile } from './daemon/service-file.ts'
import { serviceManager } from './daemon/service-manager.ts'
import { config } from './files/config.ts'
import { diskSpace } from './files/disk-space.ts'
import { leftovers } from './files/leftovers.ts'
import { lists } from './files/lists.ts'
import { modes } from './files/modes.ts'
import { owners } from './files/owners.ts'
import { descriptors } from './machine/descriptors.ts'
import { homeFolder } from './machine/home.ts'
import { memory } from './machine/memory.ts'
import { nodeVersion } from './machine/node.ts'
import { ownClock } from './machine/own-clock.ts'

/** All that doctor looks at, in the order in which it is told. */
export const ALL_CHECKS: readonly Check<DoctorContext>[] = [
  // files
  config,
  lists,
  owners,
  modes,
  leftovers,
  diskSpace,
  // machine
  homeFolder,
  nodeVersion,
  ownClock,
  descriptors,
  memory,
  // daemon
  serviceManager,
  autostart,
  lingering,
  running,
  answers,
  serviceFile,
  program,
  duplicates,
  managerNotes,
  crashLoop,
  reconnectLoop,
  // network
  // hub
  // services
  // hub-here
]
