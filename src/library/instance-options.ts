export interface InstanceOptions {
  /** Path of another config file: another instance. Default `~/.privateconnect/config.json`. */
  readonly config?: string | undefined
}
