import { Flags } from '@oclif/core'

export const replaceHubFlag = {
  replace: Flags.boolean({ description: 'stop existing hub before starting new one' }),
}

export const resetFlag = {
  reset: Flags.boolean({ description: 'forget the flags of before: what is not given is as by default' }),
}
