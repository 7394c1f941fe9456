// Package account keeps the users of an S3 store: who they are, what they sign with, and the service accounts that act for them. It is
// a layer over records in the service bucket (FORMAT.md), so every gateway sees the same users and every change is as durable
// as an object.
//
// A user has an id of 16 hexadecimal digits, an e-mail address that no other user has, and at most [MaxKeys] key pairs. An access key
// is the id and four characters more, so it names its user and needs no index. A service account is a key pair of its own under a name,
// with a policy that narrows what the user may do. Secrets are sealed under the cluster's key and bound to their access key: one that is
// copied to another record does not open.
//
// Invariants:
//
//   - One record decides whether something exists: the one under the e-mail address for a user, the one under user and name for a
//     service account. It is written last and removed first, by one conditional write, so a crash leaves nothing half visible and a
//     race has one winner. What a crash leaves behind is invisible and is swept up later.
//   - When a change returns, every gateway goes by it from its next request on: each change that takes a right away moves the epoch of
//     the service bucket, and what [Store.Identity] remembers counts for one epoch only.
//
// It is not the judge of what an identity may do: see packages acl and policy.
package account
