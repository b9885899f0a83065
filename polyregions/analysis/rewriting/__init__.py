"""Networks, trees and tables rewritten from regions: the same function on the domain, said differently."""
