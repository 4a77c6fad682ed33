/**
 * The lines on the connections of what was taken back.
 *
 * @param end the command that ends those that stay open
 */
export function formatTakenBack({
  ended,
  open,
  end,
}: {
  ended: number
  open: number
  end: string
}): string[] {
  const were = ended === 1 ? '1 connection to it was' : `${ended} connections to it were`
  const [stay, them] =
    open === 1
      ? ['1 connection to it stays open until it ends by itself', 'it']
      : [`${open} connections to it stay open until they end by themselves`, 'them']
  return [
    ...(ended === 0 ? [] : [`  ${were} ended`]),
    ...(open === 0 ? [] : [`  ${stay}. To end ${them} now: connect ${end}`]),
  ]
}
