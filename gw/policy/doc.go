// Package policy reads and evaluates bucket policies and the identity policies of service accounts, in the policy language of IAM
// as Amazon S3 applies it.
//
// A policy is parsed once, by [ParseBucket] or [ParseIdentity], into a compiled form that is never changed and may be shared; what
// S3 would refuse is refused then, in S3's words. [Policy.Evaluate] decides one request against it and [Policy.Explain] tells why.
//
// The package is pure: no clock, no network, no store. All it learns of a request is in [Request]. The invariant: a statement
// applies only if everything it says holds for the request; what cannot be known (a key that is not in the context, a value that
// is no number) is a mismatch for a condition that wants something and a match for one that rules something out, as in IAM.
//
// It is not the whole decision about a request: ACLs, ownership, the rights of a bucket's owner, public access block and the
// combination of a bucket's policy with an account's are the gateway's.
//
// The letter is in the IAM User Guide, "IAM JSON policy element reference", the S3 User Guide, "Bucket policies" and "Blocking
// public access", and the Service Authorization Reference for S3. docs/policy.md lists what is supported.
package policy
