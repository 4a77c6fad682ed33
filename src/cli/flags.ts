import { Flags } from '@oclif/core'
import { ConnectError } from '../errors.ts'

/** Which instance: every command that touches an instance has this flag. */
export const configFlag = {
  config: Flags.string({ description: 'path to another config file: another instance', helpValue: 'FILE' }),
}

/** Which hub. No default here: the saved hub comes before the public one, see hubFlagValue. */
export const hubFlag = {
  hub: Flags.string({
    description: 'hub server URL (default: the one logged in to, else https://hub.privateconnect.co)',
    env: 'CONNECT_HUB_URL',
    helpValue: 'URL',
  }),
}

export const insecureFlag = {
  insecure: Flags.boolean({
    description: 'accept plain http to another machine: anyone on the way can read along',
  }),
}

export const caFlag = {
  ca: Flags.string({
    description: 'trust this certificate authority too: a PEM file, remembered',
    helpValue: 'FILE',
  }),
}

export const labelFlag = {
  label: Flags.string({
    description: 'what this machine is called (default: its host name)',
    helpValue: 'LABEL',
  }),
}

/** @throws ConnectError BAD_VALUE @returns 0 to 65535 */
export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new ConnectError('BAD_VALUE', `"${text}" is not a port (0 to 65535)`)
  }
  return port
}

export const replaceFlag = {
  replace: Flags.boolean({ description: 'stop existing daemon before starting new one' }),
}

/** Read by the init hook, before the command. */
export const platformFlag = {
  platform: Flags.string({
    description: 'install into this one: launchd, systemd, or a plugin’s (default: the first that is there)',
    helpValue: 'NAME',
  }),
}
