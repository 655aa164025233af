/**
 * Nominal types over plain values, so that a frame count cannot be passed where milliseconds are meant.
 *
 * A branded value costs nothing at run time. Make one by the constructor function beside its type (`frames(480)`), which is the one
 * place where a plain number becomes a quantity.
 */
declare const brand: unique symbol;

/** `T` under the name `B`: a plain `T` is not assignable to it. */
export type Brand<T, B extends string> = T & { readonly [brand]: B };
