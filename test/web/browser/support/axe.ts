/** What axe (https://github.com/dequelabs/axe-core) finds against the rules of WCAG 2.2, levels A and AA. It finds about half of what there is to find. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** The violations on a page, one line each: the rule, and where it is broken. Nothing where there is none. */
export async function violationsOn(page: Page): Promise<readonly string[]> {
  // A tab evaluates what comes over the debugger's line outside the page's own policy.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>(
    `axe.run(document, ${JSON.stringify({ runOnly: TAGS, resultTypes: ['violations'] })})`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.replaceAll('\n', ' ')}`),
  );
}
