/** What is subscribed to, as invoices name it: Scale plan; Scale plan × 3. */
export function planName(product: string, quantity: number): string {
  return quantity === 1 ? product : `${product} × ${quantity.toLocaleString('en')}`;
}
