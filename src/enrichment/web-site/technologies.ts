import type { IncomingHttpHeaders } from 'node:http';
import type { Page } from './page.ts';

/** A technology, and the pattern that gives it away. */
type Signs = readonly (readonly [string, RegExp])[];

const IN_SERVER: Signs = [
  ['Apache', /^apache/i],
  ['Cloudflare', /^cloudflare/i],
  ['IIS', /^microsoft-iis/i],
  ['LiteSpeed', /^litespeed/i],
  ['nginx', /^(nginx|openresty)/i],
  ['Vercel', /^vercel/i],
  ['Netlify', /^netlify/i],
];
const IN_POWERED_BY: Signs = [
  ['ASP.NET', /asp\.net/i],
  ['Express', /^express/i],
  ['Next.js', /^next\.js/i],
  ['PHP', /^php/i],
];
const IN_GENERATOR: Signs = [
  ['Drupal', /^drupal/i],
  ['Ghost', /^ghost/i],
  ['Hugo', /^hugo/i],
  ['Joomla', /^joomla/i],
  ['PrestaShop', /^prestashop/i],
  ['Squarespace', /^squarespace/i],
  ['Webflow', /^webflow/i],
  ['Wix', /^wix/i],
  ['WooCommerce', /^woocommerce/i],
  ['WordPress', /^wordpress/i],
];
const IN_RESOURCES: Signs = [
  ['Angular', /\/(polyfills|runtime)[.-][0-9a-f]{16,20}\.js/i],
  ['Google Analytics', /google-analytics\.com|googletagmanager\.com\/gtag/i],
  ['Google Tag Manager', /googletagmanager\.com\/gtm/i],
  ['Hotjar', /static\.hotjar\.com/i],
  ['HubSpot', /js\.hs-scripts\.com|js\.hsforms\.net/i],
  ['Intercom', /widget\.intercom\.io/i],
  ['jQuery', /jquery([.-]\d[\d.]*)?(\.min)?\.js/i],
  ['Magento', /\/static\/version\d+\/frontend\//i],
  ['Meta Pixel', /connect\.facebook\.net/i],
  ['Next.js', /\/_next\/static\//i],
  ['Nuxt', /\/_nuxt\//i],
  ['RD Station', /d335luupugsy2\.cloudfront\.net/i],
  ['Salesforce', /\.(salesforce|force)\.com\//i],
  ['Shopify', /cdn\.shopify\.com/i],
  ['Squarespace', /static1?\.squarespace\.com/i],
  ['Stripe', /js\.stripe\.com/i],
  ['VTEX', /\.vteximg\.com|\.vtexassets\.com/i],
  ['Webflow', /\.website-files\.com/i],
  ['Wix', /static\.wixstatic\.com|static\.parastorage\.com/i],
  ['WordPress', /\/wp-(content|includes)\//i],
  ['Zendesk', /static\.zdassets\.com/i],
];

/** Technologies that the answer of a site gives away, in alphabetical order. They are told by names of ours only. */
export function technologiesOf(headers: IncomingHttpHeaders, page: Page): string[] {
  const signs: [Signs, readonly (string | undefined)[]][] = [
    [IN_SERVER, [headers['server']?.toString()]],
    [IN_POWERED_BY, [headers['x-powered-by']?.toString()]],
    [IN_GENERATOR, [page.meta.get('generator')]],
    [IN_RESOURCES, page.resources],
  ];
  const found = signs.flatMap(([known, texts]) =>
    known.flatMap(([name, sign]) => (texts.some((text) => text !== undefined && sign.test(text)) ? [name] : [])),
  );
  return [...new Set(found)].sort();
}
