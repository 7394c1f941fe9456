// Package limit bounds how fast users and buckets may use a gateway: operations of each class, and bytes sent. It also keeps the
// quotas of users and the default quotas, which are set in the same place.
//
// What is set is a [Rules] per [Subject], a record in the service bucket. Every gateway keeps all of them in memory and reads them again when
// the service bucket's epoch has changed, which it looks at once a second; the gateway that changed a rule goes by it at once.
//
// # How gateways share a limit
//
// Time is cut into windows: of a second if the limit is 600 a minute or more, of ten seconds if it is 60 or more, of a minute else. For each
// limit that is in use, a record says which window it is and how much of the window's budget is taken. A gateway takes a quarter of a
// budget (or what is left) at a time, by a conditional write, spends it from memory, and throws away what is left of it when the
// window is over. So no two gateways can spend the same share, and a gateway that dies takes a quarter of one window with it.
//
// The invariant: in any span of time, all gateways together let through no more than the limit for that span and two windows more. That
// holds as far as their clocks agree: one that is ahead begins a window early, once. They may let through less near the end of a
// window, since one gateway can have taken what another is asked for.
//
// It is not fair between requests, keeps no queue of operations (one that finds nothing is refused), and knows nothing of HTTP.
package limit
