// Package space keeps how much buckets held over time, for billing: the largest size of the running hour, and the sum of the size over time
// in byte-hours. Both are shown beside the present size by the management API.
//
// One process of a volume looks at all buckets every ten minutes and notes in the service bucket what has changed; a size that has not
// changed is not written anew, its time is added when it is read. So a size counts from the look that saw it to the next one: what comes
// and goes between two looks is not seen, and the sum is as exact as ten minutes are.
//
// The record of a bucket ends with it: what a deleted bucket took is to be collected before. It bounds nothing, which is what quotas are for.
package space
