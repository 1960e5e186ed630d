/** How series are told apart: by colour, and by texture for whoever sees no colours. */
export type Texture = 'solid' | 'stripes' | 'dots';

export interface Look {
  colour: string;
  texture: Texture;
}

const COLOURS = 6;
const TEXTURES = ['solid', 'stripes', 'dots'] as const;

export function seriesColour(place: number): string {
  return `var(--series-${(place % COLOURS) + 1})`;
}

/** Neighbours differ in both; after eighteen they come again. */
export function lookAt(place: number): Look {
  const texture = TEXTURES[(place + Math.floor(place / COLOURS)) % TEXTURES.length] ?? 'solid';
  return { colour: seriesColour(place), texture };
}

/** What is left over when all others have a look of their own. */
export const REST: Look = { colour: 'var(--text-faint)', texture: 'solid' };
export const OTHER: Look = { colour: 'var(--text-faint)', texture: 'dots' };
