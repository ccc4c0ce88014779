"""Start values for parameters (``torch.nn.init``)."""

from graphc.frontend.nn.init import calculate_gain as calculate_gain
from graphc.frontend.nn.init import constant_ as constant_
from graphc.frontend.nn.init import kaiming_normal_ as kaiming_normal_
from graphc.frontend.nn.init import kaiming_uniform_ as kaiming_uniform_
from graphc.frontend.nn.init import normal_ as normal_
from graphc.frontend.nn.init import ones_ as ones_
from graphc.frontend.nn.init import trunc_normal_ as trunc_normal_
from graphc.frontend.nn.init import uniform_ as uniform_
from graphc.frontend.nn.init import xavier_normal_ as xavier_normal_
from graphc.frontend.nn.init import xavier_uniform_ as xavier_uniform_
from graphc.frontend.nn.init import zeros_ as zeros_
from graphc.frontend.nn.init_matrices import dirac_ as dirac_
from graphc.frontend.nn.init_matrices import eye_ as eye_
from graphc.frontend.nn.init_matrices import orthogonal_ as orthogonal_
from graphc.frontend.nn.init_matrices import sparse_ as sparse_
