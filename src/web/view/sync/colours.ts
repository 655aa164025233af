/** How rooms are told apart in charts: a colour that the colour-blind tell apart too, a dash, and the name at the line's end. */

/** After Okabe and Ito, darker on paper and lighter on black. */
const LIGHT = ['#0b6a73', '#b34700', '#7a3e9d', '#1f5fa8', '#8a6d00', '#a3195b'] as const;
const DARK = ['#63cbd3', '#f2a65a', '#c9a0e8', '#8fbcf2', '#e5d352', '#f29ac2'] as const;
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [10, 3, 2, 3], [4, 4], [1, 3]];

/** A line of a chart. */
export interface LineLook {
  readonly colour: string;
  readonly dash: readonly number[];
}

/** The look of the `at`th room, on paper or on black. */
export const lookOf = (at: number, isDark: boolean): LineLook => ({
  colour: (isDark ? DARK : LIGHT)[at % LIGHT.length]!,
  dash: DASHES[at % DASHES.length]!,
});

/** Whether the page is black at the moment: by its own choice, or the system's. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
}
