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
import { dns } from './network/dns.ts'
import { tcp } from './network/tcp.ts'
import { proxy } from './network/proxy.ts'
import { tlsChain } from './network/tls-chain.ts'
import { tlsExpiry } from './network/tls-expiry.ts'
import { hubAnswer } from './network/hub-answer.ts'
import { websocket } from './network/websocket.ts'
import { agentLink } from './hub/agent-link.ts'
import { credential } from './hub/credential.ts'
import { versions } from './hub/versions.ts'
import { clock } from './hub/clock.ts'
import { targets } from './services/targets.ts'
import { keptPorts } from './services/kept-ports.ts'
import { reachedServices } from './services/reached-services.ts'
import { hubProcess } from './hub-here/hub-process.ts'
import { hubPort } from './hub-here/hub-port.ts'
import { hubCertificate } from './hub-here/hub-certificate.ts'
import { hubSaved } from './hub-here/hub-saved.ts'
import { hubDatabase } from './hub-here/hub-database.ts'
import { hubBackup } from './hub-here/hub-backup.ts'

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
  dns,
  tcp,
  proxy,
  tlsChain,
  tlsExpiry,
  hubAnswer,
  websocket,
  // hub
  credential,
  agentLink,
  versions,
  clock,
  // services
  targets,
  keptPorts,
  reachedServices,
  // hub-here
  hubProcess,
  hubPort,
  hubCertificate,
  hubSaved,
  hubDatabase,
  hubBackup,
]
