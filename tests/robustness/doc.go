// Package robustness holds the tests that break the mount under a whole store and look at what its users see: a node with two
// name servers and two object servers, opened as the server opens it, on a filesystem in memory that can lose power, fail, tear a
// write or refuse a sync at any call.
//
// What is proven each time: what was acknowledged is there, whole, and stays there; what was deleted stays deleted; what was
// under way is there in whole or not at all; listings agree with reads; and once guards were swept and garbage was collected,
// fsck finds nothing, no object is left that no name links to, and a bucket that is emptied and deleted leaves nothing behind.
//
// README.md lists the bugs that were found this way and how to replay each.
package robustness
