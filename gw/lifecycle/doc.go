// Package lifecycle carries out the lifecycle rules of buckets
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html): it expires objects, noncurrent versions, delete
// markers that hide nothing, and multipart uploads that nobody completes.
//
// It has two halves. [Rules] is pure: from a configuration and what is known of a version it tells what is due when; the gateway uses it
// for x-amz-expiration. [Runner] goes through the buckets that have rules, once per day and after each change of the rules, in one process
// of all.
//
// The invariant: nothing is removed that a rule did not make due as it was when it was looked at. Every removal names the version or, where
// it hides the current one, holds only while that is still the current one; so an object that is written anew in between stays, whatever
// crashes, however often a scan is repeated and even if two processes scan at once.
//
// It moves nothing to other storage classes: there is one tier.
package lifecycle
