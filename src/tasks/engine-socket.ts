import { realpathSync } from 'node:fs'
import path from 'node:path'
import { isSameFile, statOf } from '../files/is-same-file.ts'

/** How container engines call the sockets by which they are told what to run. */
const NAMES =
  /(?:^|\/)(?:(?:docker|podman|containerd|crio|cri-dockerd|buildkitd)\.sock|(?:lxd|incus)\/unix\.socket|libvirt-sock)$/

/** Where such sockets lie: links, bind mounts and the like may have other names. */
const PLACES = ['docker.sock', 'podman/podman.sock', 'containerd/containerd.sock', 'crio/crio.sock']

/**
 * Whose rights whoever reaches the socket of a container engine has: they can have it run what they like,
 * with any folder of the machine.
 *
 * @returns undefined if the socket is none of a container engine
 */
export function engineRights(file: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const found = statOf(file)
  const names = found ? [file, realpathSync(file)] : [file]
  const runtime = env.XDG_RUNTIME_DIR
  const folders = ['/run', '/var/run', ...(runtime === undefined ? [] : [runtime])]
  const known = folders.flatMap((folder) => PLACES.map((place) => path.join(folder, place)))
  const isEngine = names.some((name) => NAMES.test(name)) || known.some((place) => isSameFile(file, place))
  if (!isEngine) return undefined
  // One without root has its user's rights.
  return found === undefined || found.uid === 0 ? 'root' : 'the user who runs it'
}
