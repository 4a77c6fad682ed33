import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { servingOf, type Serving } from '../../config/hub/serving.ts'
import { isLoopback, parseHubUrl } from '../../config/hub-url.ts'
import { ConnectError } from '../../errors.ts'
import { hubStatus } from '../../hub/control/client.ts'
import { authorityFile, tlsFolder } from '../../hub/tls/authority.ts'
import { lastFingerprint } from '../../hub/tls/certificate.ts'
import { toldUrl } from '../../hub/told-url.ts'
import { fingerprintFrom, type Invite } from '../../tunnel/protocol/invite.ts'

/** Where a hub is found, and by what it is known. */
export type InvitedHub = Omit<Invite, 'token'>

/**
 * What an invite to the hub on this data folder says of it: by the hub’s own word if it runs, else by what it
 * will be run with.
 *
 * @throws ConnectError HUB_ADDRESS_UNKNOWN, BAD_CERTIFICATE, HUB_SETTINGS_DAMAGED, HUB_BUSY and the like
 */
export async function invitedHub(folder: string): Promise<InvitedHub> {
  const status = await hubStatus(hubInstance({ dataDir: folder }))
  if (status) return describe(status.url, status.certificate?.fingerprint)
  const settings = readHubSettings()
  const serving = settings && servingOf(settings)
  if (!serving || serving.folder !== folder || !isKnown(serving))
    throw new ConnectError(
      'HUB_ADDRESS_UNKNOWN',
      'This hub does not run, and it is not known where it will be reached',
    )
  return describe(toldUrl(serving, serving.port), fingerprintOf(serving))
}

/** Not a port that is free today, and may be another tomorrow; nor a name, which may be another address. */
function isKnown({ url, host, port }: Serving): boolean {
  return url !== undefined || (port !== 0 && (isIP(host) !== 0 || !isLoopback(host)))
}

/** @param fingerprint as openssl prints it; there is none on plain http */
function describe(url: string, fingerprint: string | undefined): InvitedHub {
  // In the one form that an invite has it: without a port that goes without saying.
  const address = parseHubUrl(url, { insecure: true })
  if (fingerprint === undefined || !address.startsWith('https:')) return { address }
  return { address, fingerprint: fingerprintFrom(fingerprint) }
}

function fingerprintOf({ tls, folder }: Serving): string | undefined {
  if (tls === undefined) return undefined
  if (tls !== 'own') return lastFingerprint(tls.cert)
  const authority = authorityFile(tlsFolder(folder))
  if (existsSync(authority)) return lastFingerprint(authority)
  throw new ConnectError(
    'HUB_ADDRESS_UNKNOWN',
    'This hub has no certificate yet: it makes one when it is started',
    {
      hints: ['Run: connect hub start'],
    },
  )
}
