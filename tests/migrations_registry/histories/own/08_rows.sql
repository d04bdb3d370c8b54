-- only words
/* and more of them */
