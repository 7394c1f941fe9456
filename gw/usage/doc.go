// Package usage counts what users do with buckets at one gateway, for billing: operations and bytes by bucket, its epoch, user and tag.
// What was counted in a period becomes an object in the service bucket, named s3-usage-<gateway>-<begin of the period>-<seconds>.
//
// The invariant: an operation is in one object, once. The object of the running period is written anew every minute and when the gateway
// closes; a crash loses what was counted since. A restart begins another object.
//
// It keeps at most MaxItems counters in memory for a period: with more, the object is ended early and another begun. It adds nothing
// up over periods or gateways; who bills does.
package usage
