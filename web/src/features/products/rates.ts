/** Rates in words. */

/** large, output; no region. */
export function rateName(
  values: readonly { property: string; value?: string | null | undefined }[],
): string {
  return values.map(({ property, value }) => value ?? `no ${property}`).join(', ');
}
